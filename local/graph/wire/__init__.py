"""What goes over the wire: JSON shapes, MIME, OData options, errors."""
