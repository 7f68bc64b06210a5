"""Parts of published supernets on folders of images: top-1 accuracy and latency, measured as their authors do."""
