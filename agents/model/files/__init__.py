"""Files of a model, checked before anything of them is loaded or allocated."""
