"""What a master can be delivered as."""

from __future__ import annotations

from atelier.workshop.contract import OutputFormat

FORMATS = (
    OutputFormat(name="svg", title="SVG, to be edited", media_type="image/svg+xml", suffix=".svg"),
    OutputFormat(name="svg.outlined", title="SVG, letters as outlines", media_type="image/svg+xml", suffix=".svg"),
    OutputFormat(name="pdf", title="PDF for print", media_type="application/pdf", suffix=".pdf"),
    OutputFormat(name="png", title="PNG", media_type="image/png", suffix=".png"),
    OutputFormat(name="png2", title="PNG, twice as large", media_type="image/png", suffix=".png"),
    OutputFormat(name="png4", title="PNG, four times as large", media_type="image/png", suffix=".png"),
    OutputFormat(name="webp", title="WebP", media_type="image/webp", suffix=".webp"),
    OutputFormat(name="zip", title="All files in one ZIP", media_type="application/zip", suffix=".zip"),
)
