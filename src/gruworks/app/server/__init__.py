"""The server: trained runs behind HTTP, and the page. ARCHITECTURE.md lists its files in the order of a request."""
