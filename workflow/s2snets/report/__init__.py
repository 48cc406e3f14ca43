"""The report: a study as one offline HTML file."""
