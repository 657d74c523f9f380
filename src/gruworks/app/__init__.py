"""Parse, call, show. No maths, no model knowledge."""
