"""An S3 server (moto) behind the edge, used with boto3 as applications use it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import boto3
import httpx
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.awsrequest import AWSPreparedRequest
from botocore.client import Config
from botocore.exceptions import ClientError

from tests.edge.browser import HOST, is_copy
from tests.edge.fronts import Front
from tests.edge.servers import server
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import COMMANDS

MIB = 1 << 20
PARTS = random.Random(3).randbytes(6 * MIB) * 3
"""The content of a large object, which is sent in parts."""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("s3"), free_port()
    with server(folder, port, COMMANDS / "moto_server", "--port", str(port), S3_IGNORE_SUBDOMAIN_BUCKETNAME="true"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def s3(front: Front, application: str) -> Any:
    """A client of the service, with a new bucket and no other."""
    httpx.post(f"{application}/moto-api/reset", trust_env=False).raise_for_status()
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=f"{front.scheme}://{HOST}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        verify=str(front.certificates.ca),
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}),
    )
    client.meta.events.register("before-send.s3", lambda request, **_: _send_to(front, request))
    client.create_bucket(Bucket="photos")
    return client


def _send_to(front: Front, request: AWSPreparedRequest) -> None:
    """Send a request to the port of a front, after it was signed for the usual port."""
    request.headers["Host"] = HOST
    request.url = request.url.replace(f"//{HOST}/", f"//127.0.0.1:{front.port}/")


def put(s3: Any, key: str, body: bytes, **options: str) -> None:
    s3.put_object(Bucket="photos", Key=key, Body=body, **options)


def content_of(s3: Any, key: str, **options: str) -> bytes:
    return bytes(s3.get_object(Bucket="photos", Key=key, **options)["Body"].read())


def test_an_object_is_what_was_last_put(s3: Any) -> None:
    for content in (b"first", b"second", b"third, and longer"):
        put(s3, "a", content)
        assert [content_of(s3, "a") for _ in range(2)] == [content] * 2
        assert s3.head_object(Bucket="photos", Key="a")["ContentLength"] == len(content)


def test_an_object_that_was_deleted_is_gone(s3: Any) -> None:
    put(s3, "gone", b"text", CacheControl="max-age=600")
    assert content_of(s3, "gone") == b"text"
    s3.delete_object(Bucket="photos", Key="gone")
    with pytest.raises(ClientError) as caught:
        content_of(s3, "gone")
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"


def test_keys_keep_every_character(s3: Any) -> None:
    for key in ("a b+c", "ä/ö", "dots/../dots", "100%", "a//b", "q?x=1&y", "tilde~(1)"):
        put(s3, key, key.encode())
        assert content_of(s3, key) == key.encode()


def test_a_list_shows_what_was_put_since_the_last_one(s3: Any) -> None:
    for number in range(3):
        put(s3, f"list/{number}", b"text")
        listed = s3.list_objects_v2(Bucket="photos", Prefix="list/")
        assert [each["Key"] for each in listed["Contents"]] == [f"list/{each}" for each in range(number + 1)]
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="photos", Prefix="list/", PaginationConfig={"PageSize": 1}
    )
    assert [page["Contents"][0]["Key"] for page in pages] == ["list/0", "list/1", "list/2"]


def test_an_upload_in_parts_is_one_object(s3: Any) -> None:
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=6 * MIB)
    s3.upload_fileobj(BytesIO(PARTS), "photos", "large", Config=config)
    assert s3.head_object(Bucket="photos", Key="large")["ETag"].endswith('-3"')
    loaded = BytesIO()
    s3.download_fileobj("photos", "large", loaded, Config=config)  # in ranges
    assert loaded.getvalue() == PARTS


def test_an_upload_in_parts_can_be_given_up(s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket="photos", Key="given-up")["UploadId"]
    s3.upload_part(Bucket="photos", Key="given-up", UploadId=upload, PartNumber=1, Body=b"text")
    assert len(s3.list_parts(Bucket="photos", Key="given-up", UploadId=upload)["Parts"]) == 1
    s3.abort_multipart_upload(Bucket="photos", Key="given-up", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="photos")


def test_a_range_is_what_is_at_its_place(s3: Any) -> None:
    put(s3, "ranges", bytes(range(256)) * 100, CacheControl="max-age=600")
    for _ in range(2):
        assert content_of(s3, "ranges", Range="bytes=250-259") == bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3])
        content_of(s3, "ranges")


def test_a_condition_is_kept(s3: Any) -> None:
    put(s3, "condition", b"text")
    tag = s3.head_object(Bucket="photos", Key="condition")["ETag"]
    for condition, status in (({"IfNoneMatch": tag}, 304), ({"IfMatch": '"other"'}, 412)):
        with pytest.raises(ClientError) as caught:
            content_of(s3, "condition", **condition)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_copy_is_put_by_the_server(s3: Any) -> None:
    put(s3, "original", b"text", ContentType="text/x-own", Metadata={"made-by": "ann"})
    s3.copy_object(Bucket="photos", Key="copied", CopySource="photos/original")
    copied = s3.get_object(Bucket="photos", Key="copied")
    assert (copied["Body"].read(), copied["ContentType"], copied["Metadata"]) == (
        b"text",
        "text/x-own",
        {"made-by": "ann"},
    )


def test_a_presigned_url_opens_an_object_for_a_browser(s3: Any, ann: httpx.Client) -> None:
    url = s3.generate_presigned_url("put_object", {"Bucket": "photos", "Key": "signed"})
    assert ann.put(url, content=b"from a browser").status_code == 200
    url = s3.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "signed"})
    assert ann.get(url).content == b"from a browser"
    put(s3, "signed", b"changed")
    assert ann.get(url).content == b"changed"


def test_a_public_object_is_fetched_once(s3: Any, ann: httpx.Client, bob: httpx.Client) -> None:
    public = {"ContentType": "text/css", "CacheControl": "public, max-age=600", "ACL": "public-read"}
    put(s3, "public.css", b"body {}", **public)
    first, copy = ann.get("/photos/public.css"), bob.get("/photos/public.css")
    assert (first.content, copy.content, copy.headers["Content-Type"]) == (b"body {}", b"body {}", "text/css")
    assert is_copy(copy)
    put(s3, "public.css", b"body { color: black }", **public)
    assert ann.get("/photos/public.css").content == b"body { color: black }"


def test_a_signed_request_is_not_answered_with_a_copy_for_another(s3: Any, front: Front) -> None:
    put(s3, "private", b"for the key", CacheControl="max-age=600")
    for _ in range(2):
        with front.browser() as other:
            answer = other.get("/photos/private", headers={"Authorization": "AWS4-HMAC-SHA256 Credential=other"})
        assert not is_copy(answer)
        content_of(s3, "private")
