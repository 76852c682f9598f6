"""What is decided, and under which rules: the mathematics of a stockpile."""
