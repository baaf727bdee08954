"""How results look: text for a terminal, one HTML page, the pages of the documentation. May not: judge, train."""
