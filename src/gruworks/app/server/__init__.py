"""The server: trained runs behind HTTP, and the page.

limits.py     how much of everything one request may ask
shelf.py      the models that are served, by name
batching.py   requests that wait are answered together
lanes.py      texts that are written side by side, a step of the network for all of them
fit_request.py  what a fit over HTTP may set
jobs.py       fits, one at a time; job.py: one with its record; child.py: its process
schemas.py    what requests hold, with examples
replies.py    errors and server-sent events
hosts.py      host names and addresses as requests and flags write them
access.py     host, origin and token: who may ask
guard.py      access, body size, counts: before any route
exchange.py   one request and its answer: size, time, a client that leaves, headers
listening.py  the socket's side: silent connections, the end
bodies.py     JSON bodies, validated in threads
metrics.py    what Prometheus reads
routes/       one file a task
service.py    all of it as one application
"""
