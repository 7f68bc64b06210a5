"""The chapter on AutoBuild's neighbours: other systems that represent architectures and predict how good they are."""
