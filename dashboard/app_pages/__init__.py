"""One page a file; `dashboard/app.py` lists them."""
