"""Operations that obstore does not have, by boto3: the bucket, unfinished multipart uploads, conditional deletes.

boto3 is imported only when it is needed, because that takes a third of a second.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from imageconverter.errors import StoreUnavailable
from imageconverter.settings import StorageSettings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef

_CONNECT_SECONDS = 2
_NOT_FOUND = 404
_PRECONDITION_FAILED = 412


def ensure_bucket(settings: StorageSettings) -> None:
    """Create the bucket if it does not exist; raises StoreUnavailable."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    bucket, region = settings.bucket, settings.region
    try:
        client = create_client(settings)
        try:
            client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != _NOT_FOUND:
                raise
            client.create_bucket(Bucket=bucket, **_location(region))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise StoreUnavailable(f"The bucket cannot be used: {error}") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"The object store does not answer: {error}") from error


def abort_unfinished(settings: StorageSettings, *, before: datetime) -> int:
    """Abort the multipart uploads that were initiated *before* that time; returns their number.

    A process that is killed during an upload leaves parts, which use space but are not listed. Raises
    StoreUnavailable.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    aborted = 0
    try:
        client = create_client(settings)
        for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=settings.bucket):
            for upload in page.get("Uploads", []):
                if upload["Initiated"] < before:
                    client.abort_multipart_upload(
                        Bucket=settings.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    aborted += 1
    except (BotoCoreError, ClientError) as error:
        raise StoreUnavailable(f"Unfinished uploads cannot be aborted: {error}") from error
    return aborted


def copy_unchanged(client: "S3Client", bucket: str, key: str, etag: str, target: str) -> bool:
    """Copy an object with its metadata if it still has *etag*; returns whether it had. Raises StoreUnavailable."""
    source: CopySourceTypeDef = {"Bucket": bucket, "Key": key}
    copy = partial(client.copy_object, Bucket=bucket, Key=target, CopySource=source, CopySourceIfMatch=etag)
    return _if_unchanged(copy, lambda error: StoreUnavailable(f"An object cannot be copied: {error}"))


def replace_metadata(
    client: "S3Client", bucket: str, key: str, etag: str, *, content_type: str, metadata: Mapping[str, str]
) -> bool:
    """Replace the metadata of an object if it still has *etag*; returns whether it had. Raises StoreUnavailable."""
    source: CopySourceTypeDef = {"Bucket": bucket, "Key": key}
    copy = partial(client.copy_object, Bucket=bucket, Key=key, CopySource=source, CopySourceIfMatch=etag)
    replace = partial(copy, MetadataDirective="REPLACE", ContentType=content_type, Metadata=metadata)
    return _if_unchanged(
        replace, lambda error: StoreUnavailable(f"The metadata of an object cannot be replaced: {error}")
    )


def delete_unchanged(client: "S3Client", bucket: str, key: str, etag: str) -> bool:
    """Delete an object if it still has *etag*; returns whether it had. Raises StoreUnavailable.

    A store that does not know conditional deletes deletes it in any case.
    """
    delete = partial(client.delete_object, Bucket=bucket, Key=key, IfMatch=etag)
    return _if_unchanged(delete, lambda error: StoreUnavailable(f"An object cannot be deleted: {error}"))


def _if_unchanged(call: Callable[[], object], failure: Callable[[Exception], StoreUnavailable]) -> bool:
    """Make a conditional *call*; returns whether its condition was met. Raises StoreUnavailable or the *failure*."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        call()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (_NOT_FOUND, _PRECONDITION_FAILED):
            return False
        raise failure(error) from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"The object store does not answer: {error}") from error
    return True


@contextmanager
def unavailable_if_failed() -> Iterator[None]:
    """Context of a call of boto3, whose errors become StoreUnavailable."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StoreUnavailable(f"The object store cannot be used: {error}") from error


def presign_put(settings: StorageSettings, key: str, *, size: int, seconds: int) -> str:
    """Return a URL by which a client of `public_endpoint` may store *size* bytes at *key* within *seconds*."""
    client = create_client(settings.model_copy(update={"endpoint": settings.public_endpoint}))
    parameters = {"Bucket": settings.bucket, "Key": key, "ContentLength": size}
    return client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=seconds)


def create_client(settings: StorageSettings) -> "S3Client":
    """Return a client of boto3, which threads may share."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    access_key, secret_key = settings.credentials
    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name=settings.region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        verify=str(settings.ca_file) if settings.ca_file else None,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=settings.timeout_seconds,
            retries={"mode": "standard", "max_attempts": 1},
            s3={"addressing_style": "path"},
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _location(region: str) -> dict[str, Any]:
    """Return the argument for *region*, which S3 requires unless it is the default one."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
