"""Pictures as data: a picture is first a list of things, then a layout, then SVG; and always a text and a table too."""
