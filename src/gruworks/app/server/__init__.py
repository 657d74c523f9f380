"""HTTP server for trained runs, with the page. ARCHITECTURE.md lists its files in the order of a request."""
