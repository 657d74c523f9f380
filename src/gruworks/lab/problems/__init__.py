"""Problems with known answers and corpora on which cells are compared."""
