"""What a command does, from file to file."""
