"""SyntheticSearch, the twin of V*: scenes of shapes with small letters."""
