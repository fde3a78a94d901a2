"""What the tests need to stand outside of Hoshu: its process, its doors, its devices."""
