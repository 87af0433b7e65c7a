"""How long the losses take, beside other libraries. One command: make bench."""
