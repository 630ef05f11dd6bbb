"""How a picture is brought to another size: filters by name, of Pillow and of libvips."""
