"""An episode drawn for a person, and the window that shows it."""
