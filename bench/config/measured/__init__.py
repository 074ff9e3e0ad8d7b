"""Read what a user has measured: times and sizes of answers, from HAR files, access logs and CSV files.

Only numbers leave this folder: no error and no result has a text of the file, which may have secrets in
every field. So errors count lines and columns, and name only what the user has typed and what is known here.
"""
