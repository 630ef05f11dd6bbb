"""Controls that ask whether the operations were needed: blank, random and aimed views."""
