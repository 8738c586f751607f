"""OLE compound files ([MS-CFB]): what extraction and sanitising both have to know of them."""
