"""What the program rests on: its failures, its files, what ends it, the versions of its parts."""
