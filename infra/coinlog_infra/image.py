"""The image that every task runs: built from the Dockerfile of this checkout, kept in ECR."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from coinlog.errors import UsageError
from coinlog_infra.options import Options

PLATFORMS = {"arm64": assets.Platform.LINUX_ARM64, "x86_64": assets.Platform.LINUX_AMD64}


class Image(Construct):
    """The program's image, for one architecture. Synthesizing only hashes it; deploying builds."""

    def __init__(self, scope: Construct, construct_id: str, source: Path, options: Options) -> None:
        """Take the Dockerfile in ``source``, and what its ``.dockerignore`` lets in.

        Raises:
            UsageError: there is none.
        """
        super().__init__(scope, construct_id)
        if not (source / "Dockerfile").is_file():
            raise UsageError(f"there is no Dockerfile in {source}: expected coinlog's checkout")
        asset = assets.DockerImageAsset(
            self,
            "asset",
            asset_name=options.name,
            directory=str(source),
            platform=PLATFORMS[options.architecture],
        )
        self.image = ecs.ContainerImage.from_docker_image_asset(asset)
