"""One iteration of expectation maximisation and one ascent; nothing here knows a file or chooses K."""
