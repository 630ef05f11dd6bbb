"""Small folders of exactly the published shapes, one module a data set."""
