"""What every engine that makes pictures needs: reading those of anybody, telling near copies, showing samples."""
