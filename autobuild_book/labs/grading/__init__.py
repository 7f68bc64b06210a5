"""Grades what students hand in: an LMS's zip goes in, a CSV for the LMS comes out.

`archive` reads the zip, `restoring` puts our cells back into a notebook, `student` runs it in a process of its own,
`transport` carries answers out of that process as data, `judge` checks them in another one, `grades` writes the table.
"""
