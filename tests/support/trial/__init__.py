"""A whole site in a throwaway folder, and people who use it: for journeys, for killing parts of it, for benchmarks."""
