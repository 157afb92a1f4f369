"""Charts, HTML page and workbook."""
