"""One thread that paints for all requests in turn, and what a request is made of."""
