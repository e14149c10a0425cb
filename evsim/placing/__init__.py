"""Where the cores of a network lie on a chip or a board, what they take there, and what travels between them."""
