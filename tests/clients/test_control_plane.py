"""The control plane with boto3: every operation's life cycle, every error seen from outside."""

import json
import pathlib
import re
import subprocess
import threading
import time

import pytest
from botocore.exceptions import ClientError

from conftest import REGION, ROOT, SECRET_KEY
from refusal import refusal
from server_process import Server, binary
from signed_call import api_paths, call, send

API_NAMES = (
    "PUT_MEDIA", "GET_MEDIA", "LIST_FRAGMENTS", "GET_MEDIA_FOR_FRAGMENT_LIST",
    "GET_HLS_STREAMING_SESSION_URL", "GET_DASH_STREAMING_SESSION_URL", "GET_CLIP", "GET_IMAGES",
)
INVALID = ("InvalidArgumentException", 400)
NOT_FOUND = ("ResourceNotFoundException", 404)
IN_USE = ("ResourceInUseException", 400)
VERSION = ("VersionMismatchException", 400)
FORMAT = ("InvalidResourceFormatException", 400)
TOO_MANY_TAGS = ("TagsPerResourceExceededLimitException", 400)


def info(kvs, name):
    return kvs.describe_stream(StreamName=name)["StreamInfo"]


def stale(arn):
    """The ARN of a stream of that name made at another time."""
    head, _, created = arn.rpartition("/")
    return f"{head}/{int(created) - 1}"


def later_operations():
    rows = re.findall(r"^\| (\w+) \| later \| `([^`]+)`",
                      (ROOT / "docs" / "api-coverage.md").read_text(), re.M)
    return dict(rows)


def test_create_and_describe(server, kvs):
    name = f"all-members_{time.time_ns()}.v1"
    before = time.time()
    arn = kvs.create_stream(
        StreamName=name, DeviceName="dev-1", MediaType="video/h264,audio/aac",
        KmsKeyId="alias/mine", DataRetentionInHours=24, Tags={"site": "Zürich 1", "empty": ""},
        StreamStorageConfiguration={"DefaultStorageTier": "WARM"},
    )["StreamARN"]
    found = info(kvs, name)
    created = found.pop("CreationTime").timestamp()
    assert re.fullmatch(r"[A-Za-z0-9]{20}", found.pop("Version"))
    assert found == {
        "StreamName": name, "DeviceName": "dev-1", "MediaType": "video/h264,audio/aac",
        "KmsKeyId": "alias/mine", "DataRetentionInHours": 24, "Status": "ACTIVE", "StreamARN": arn,
    }
    assert before - 1 < created < time.time() + 1
    assert arn == (
        f"arn:aws:kinesisvideo:{REGION}:000000000000:stream/{name}/{round(created * 1000)}"
    ), "the creation time in milliseconds ends the ARN"
    assert kvs.describe_stream(StreamARN=arn)["StreamInfo"]["StreamName"] == name
    assert kvs.list_tags_for_stream(StreamName=name)["Tags"] == {"site": "Zürich 1", "empty": ""}
    tier = kvs.describe_stream_storage_configuration(StreamARN=arn)
    assert tier["StreamStorageConfiguration"] == {"DefaultStorageTier": "WARM"}


def test_create_with_a_name_alone(kvs):
    name = f"bare-{time.time_ns()}"
    kvs.create_stream(StreamName=name)
    found = info(kvs, name)
    assert found["DataRetentionInHours"] == 0
    assert found.get("DeviceName") is None and found.get("MediaType") is None
    assert found["KmsKeyId"].endswith(":alias/aws/kinesisvideo")
    assert kvs.list_tags_for_stream(StreamName=name)["Tags"] == {}
    tier = kvs.describe_stream_storage_configuration(StreamName=name)
    assert tier["StreamStorageConfiguration"] == {"DefaultStorageTier": "HOT"}


def test_bodies_that_the_c_producer_can_parse(server, stream):
    """At most 100 JSON tokens, integers without a point, an object for operations without output."""
    answer = call(server.url, "/describeStream", json.dumps({"StreamName": stream}))
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert re.search(rb'"DataRetentionInHours":2[,}]', answer.body)
    assert {"x-amzn-requestid", "date"} <= set(answer.headers)
    tagged = call(server.url, "/tagStream", json.dumps({"StreamName": stream, "Tags": {"a": "b"}}))
    assert (tagged.status, tagged.body) == (200, b"{}")
    # Its cache mode "endpoint only" puts the name where an ARN belongs.
    by_name = json.dumps({"StreamARN": stream, "Tags": {"c": "d"}}, indent="\t")
    assert call(server.url, "/tagStream", by_name).status == 200


def test_list_streams_pages_in_order(server, kvs):
    prefix = f"page-{time.time_ns()}-"
    names = [f"{prefix}{i:02}" for i in range(7)]
    for name in reversed(names):
        kvs.create_stream(StreamName=name, MediaType="video/h264")
    condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix}
    pages = list(kvs.get_paginator("list_streams").paginate(
        StreamNameCondition=condition, PaginationConfig={"PageSize": 3}
    ))
    assert [len(page["StreamInfoList"]) for page in pages] == [3, 3, 1]
    listed = [stream for page in pages for stream in page["StreamInfoList"]]
    assert [stream["StreamName"] for stream in listed] == names
    assert listed[2] == info(kvs, names[2]), "the same as DescribeStream says"
    assert kvs.list_streams(StreamNameCondition={
        "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix + "x",
    })["StreamInfoList"] == []
    everything = [
        stream["StreamName"] for page in kvs.get_paginator("list_streams").paginate()
        for stream in page["StreamInfoList"]
    ]
    assert set(names) <= set(everything) and everything == sorted(everything)
    # A page can be had again; a token goes with its condition; a deleted stream breaks no listing.
    first = kvs.list_streams(MaxResults=3, StreamNameCondition=condition)
    token = first["NextToken"]
    assert re.fullmatch(r"[a-zA-Z0-9+/=]{1,1024}", token)
    kvs.delete_stream(StreamARN=info(kvs, names[2])["StreamARN"])
    for _ in range(2):
        page = kvs.list_streams(MaxResults=3, NextToken=token, StreamNameCondition=condition)
        assert [stream["StreamName"] for stream in page["StreamInfoList"]] == names[3:6]
    assert refusal(kvs.list_streams, NextToken=token) == INVALID
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    assert refusal(kvs.list_streams, NextToken=forged, StreamNameCondition=condition) == INVALID
    assert refusal(kvs.list_streams, NextToken="!") == INVALID
    assert refusal(kvs.list_streams, MaxResults=10_001) == INVALID
    assert call(server.url, "/listStreams", '{"MaxResults":0}').error == INVALID
    wrong = {"ComparisonOperator": "ENDS_WITH", "ComparisonValue": "x"}
    assert refusal(kvs.list_streams, StreamNameCondition=wrong) == INVALID


def test_update_stream(kvs, stream):
    version = info(kvs, stream)["Version"]
    kvs.update_stream(StreamName=stream, CurrentVersion=version, DeviceName="roof")
    found = info(kvs, stream)
    assert (found["DeviceName"], found["MediaType"]) == ("roof", "video/h264")
    assert found["Version"] != version and found["Status"] == "ACTIVE"
    kvs.update_stream(
        StreamARN=found["StreamARN"], CurrentVersion=found["Version"], MediaType="video/h265"
    )
    after = info(kvs, stream)
    assert (after["DeviceName"], after["MediaType"]) == ("roof", "video/h265")

    def update(**members):
        members.setdefault("CurrentVersion", after["Version"])
        return refusal(kvs.update_stream, **members)

    assert update(StreamName=stream, CurrentVersion=version, DeviceName="x") == VERSION
    assert update(StreamName="nowhere", DeviceName="x") == NOT_FOUND
    assert update(StreamARN=stale(after["StreamARN"]), DeviceName="x") == NOT_FOUND
    assert update(DeviceName="x") == INVALID
    assert update(StreamName=stream, DeviceName="no spaces") == INVALID
    assert update(StreamName=stream, MediaType="video") == INVALID
    assert update(StreamName=stream, CurrentVersion="-") == INVALID
    assert info(kvs, stream) == after, "a refusal changes nothing"


def test_update_data_retention(kvs, stream):
    def change(operation, hours, **members):
        members.setdefault("StreamName", stream)
        members.setdefault("CurrentVersion", info(kvs, stream)["Version"])
        return dict(Operation=operation, DataRetentionChangeInHours=hours, **members)

    more, less = "INCREASE_DATA_RETENTION", "DECREASE_DATA_RETENTION"
    versions = {info(kvs, stream)["Version"]}
    for operation, hours, expected in ((more, 10, 12), (less, 11, 1), (less, 1, 0), (more, 5, 5)):
        kvs.update_data_retention(**change(operation, hours))
        assert info(kvs, stream)["DataRetentionInHours"] == expected
        versions.add(info(kvs, stream)["Version"])
    assert len(versions) == 5
    refused = lambda *args, **members: refusal(
        kvs.update_data_retention, **change(*args, **members)
    )
    assert refused(less, 6) == INVALID
    assert refused(more, 87_596) == INVALID
    assert refused("SET_DATA_RETENTION", 1) == INVALID
    assert refused(more, 1, CurrentVersion="stale") == VERSION
    assert refused(more, 1, StreamName="nowhere") == NOT_FOUND
    assert info(kvs, stream)["DataRetentionInHours"] == 5
    kvs.update_data_retention(**change(more, 87_595))
    assert info(kvs, stream)["DataRetentionInHours"] == 87_600


def test_storage_configuration(kvs, stream):
    before = info(kvs, stream)
    warm = {"DefaultStorageTier": "WARM"}
    kvs.update_stream_storage_configuration(
        StreamName=stream, CurrentVersion=before["Version"], StreamStorageConfiguration=warm
    )
    found = kvs.describe_stream_storage_configuration(StreamName=stream)
    assert found["StreamStorageConfiguration"] == warm
    assert (found["StreamName"], found["StreamARN"]) == (stream, before["StreamARN"])
    version = info(kvs, stream)["Version"]
    assert version != before["Version"]

    def update(**members):
        members.setdefault("CurrentVersion", version)
        members.setdefault("StreamStorageConfiguration", warm)
        return refusal(kvs.update_stream_storage_configuration, **members)

    assert update(StreamName=stream, CurrentVersion=before["Version"]) == VERSION
    assert update(StreamName="nowhere") == NOT_FOUND
    cold = {"DefaultStorageTier": "COLD"}
    assert update(StreamName=stream, StreamStorageConfiguration=cold) == INVALID
    assert refusal(kvs.describe_stream_storage_configuration, StreamName="nowhere") == NOT_FOUND
    assert refusal(kvs.describe_stream_storage_configuration) == INVALID


def test_delete_and_create_again(kvs, stream):
    old = info(kvs, stream)
    arn = old["StreamARN"]
    assert refusal(kvs.delete_stream, StreamARN=arn, CurrentVersion="other") == VERSION
    assert refusal(kvs.delete_stream, StreamARN=stale(arn)) == NOT_FOUND
    assert refusal(kvs.delete_stream, StreamARN=arn.replace("000000000000", "1" * 12)) == NOT_FOUND
    # The model gives this one member the pattern of an ARN; a name alone is none.
    assert refusal(kvs.delete_stream, StreamARN=stream) == INVALID
    assert info(kvs, stream) == old
    kvs.delete_stream(StreamARN=arn, CurrentVersion=old["Version"])
    assert refusal(kvs.describe_stream, StreamName=stream) == NOT_FOUND
    assert refusal(kvs.delete_stream, StreamARN=arn) == NOT_FOUND
    new_arn = kvs.create_stream(StreamName=stream, DataRetentionInHours=1)["StreamARN"]
    assert new_arn != arn
    new = info(kvs, stream)
    assert new["Version"] != old["Version"] and new["DataRetentionInHours"] == 1
    assert new.get("MediaType") is None, "nothing of the old stream is left"
    assert refusal(kvs.describe_stream, StreamARN=arn) == NOT_FOUND
    assert refusal(kvs.delete_stream, StreamARN=arn) == NOT_FOUND
    assert info(kvs, stream) == new
    kvs.delete_stream(StreamARN=new_arn)


def test_create_refusals(kvs, stream):
    create = lambda **members: refusal(kvs.create_stream, **members)
    assert create(StreamName=stream) == IN_USE
    fresh = f"refused-{time.time_ns()}"
    wrong = [
        {"StreamName": "no spaces"},
        {"StreamName": "x" * 257},
        {"StreamName": "a/b"},
        {"StreamName": fresh, "DataRetentionInHours": 87_601},
        {"StreamName": fresh, "DeviceName": "d" * 129},
        {"StreamName": fresh, "MediaType": "video"},
        {"StreamName": fresh, "MediaType": "video/" + "x" * 128},
        {"StreamName": fresh, "Tags": {"k" * 129: "v"}},
        {"StreamName": fresh, "Tags": {"k": "v" * 257}},
        {"StreamName": fresh, "Tags": {"no\ttabs": "v"}},
        {"StreamName": fresh, "Tags": {"aws:mine": "v"}},
        {"StreamName": fresh, "StreamStorageConfiguration": {"DefaultStorageTier": "ICE"}},
    ]
    for members in wrong:
        assert create(**members) == INVALID, members
    tags = {f"k{i}": "v" for i in range(51)}
    assert create(StreamName=fresh, Tags=tags) == TOO_MANY_TAGS
    assert refusal(kvs.describe_stream, StreamName=fresh) == NOT_FOUND, "none of them made one"
    kvs.create_stream(
        StreamName=fresh, Tags=dict(list(tags.items())[:50]), DataRetentionInHours=87_600,
        DeviceName="d" * 128, MediaType="a/b,c-d.e+f/g",
    )


def test_get_data_endpoint(server, kvs, stream):
    arn = info(kvs, stream)["StreamARN"]
    for api in API_NAMES:
        endpoint = kvs.get_data_endpoint(StreamName=stream, APIName=api)["DataEndpoint"]
        assert endpoint == server.url, "no path, no trailing slash: clients append as text"
        assert kvs.get_data_endpoint(StreamARN=arn, APIName=api)["DataEndpoint"] == endpoint
    ask = lambda **members: refusal(kvs.get_data_endpoint, **members)
    assert ask(StreamName="nowhere", APIName="PUT_MEDIA") == NOT_FOUND
    assert ask(StreamARN=stale(arn), APIName="PUT_MEDIA") == NOT_FOUND
    assert ask(StreamName=stream, APIName="GET_EVERYTHING") == INVALID
    assert ask(APIName="PUT_MEDIA") == INVALID
    other = f"other-{time.time_ns()}"
    assert ask(StreamName=other, StreamARN=arn, APIName="PUT_MEDIA") == INVALID
    both = kvs.get_data_endpoint(StreamName=stream, StreamARN=arn, APIName="PUT_MEDIA")
    assert both["DataEndpoint"] == server.url


def test_the_endpoint_for_producers_that_leave_the_port_out_of_host(server, stream):
    body = json.dumps({"StreamName": stream, "APIName": "PUT_MEDIA"})
    answer = call(server.url, "/getDataEndpoint", body, signed={"host": "127.0.0.1"})
    assert answer.json() == {"DataEndpoint": server.url}


def test_public_url(make_server):
    server = make_server("--public-url", "https://video.example.org/")
    kvs = server.client()
    kvs.create_stream(StreamName="cam")
    endpoint = kvs.get_data_endpoint(StreamName="cam", APIName="GET_MEDIA")["DataEndpoint"]
    assert endpoint == "https://video.example.org"


def test_tags_of_a_stream(kvs, stream):
    arn = info(kvs, stream)["StreamARN"]
    version = info(kvs, stream)["Version"]
    tags = lambda: kvs.list_tags_for_stream(StreamName=stream)["Tags"]
    kvs.tag_stream(StreamName=stream, Tags={"a": "1", "b": "2"})
    kvs.tag_stream(StreamARN=arn, Tags={"b": "3", "größe": "+-=._:/@ x"})
    assert tags() == {"a": "1", "b": "3", "größe": "+-=._:/@ x"}
    assert kvs.list_tags_for_stream(StreamARN=arn)["Tags"] == tags()
    kvs.untag_stream(StreamName=stream, TagKeyList=["a", "unknown"])
    assert tags() == {"b": "3", "größe": "+-=._:/@ x"}
    assert info(kvs, stream)["Version"] == version
    # The limit counts the union of old and new keys.
    kvs.tag_stream(StreamName=stream, Tags={f"k{i}": "" for i in range(48)})
    kvs.tag_stream(StreamName=stream, Tags={f"k{i}": "again" for i in range(48)})
    before = tags()
    assert len(before) == 50
    refused = refusal(kvs.tag_stream, StreamName=stream, Tags={"b": "lost", "one-more": "x"})
    assert refused == TOO_MANY_TAGS
    assert tags() == before, "all or nothing"
    too_many = {f"n{i}": "" for i in range(51)}
    assert refusal(kvs.tag_stream, StreamName=stream, Tags=too_many) == TOO_MANY_TAGS
    kvs.untag_stream(StreamName=stream, TagKeyList=list(before))
    assert tags() == {}
    for operation, members in (
        (kvs.tag_stream, {"Tags": {"a": "b"}}),
        (kvs.untag_stream, {"TagKeyList": ["a"]}),
        (kvs.list_tags_for_stream, {}),
    ):
        assert refusal(operation, StreamName="nowhere", **members) == NOT_FOUND
        assert refusal(operation, StreamARN=stale(arn), **members) == NOT_FOUND
        assert refusal(operation, **members) == INVALID
        assert refusal(operation, StreamARN="arn:of:something", **members) == FORMAT
    assert refusal(kvs.tag_stream, StreamName=stream, Tags={"AWS:x": "y"}) == INVALID
    assert refusal(kvs.tag_stream, StreamName=stream, Tags={"a": "v" * 257}) == INVALID
    assert refusal(kvs.untag_stream, StreamName=stream, TagKeyList=["k"] * 51) == INVALID
    assert refusal(kvs.list_tags_for_stream, StreamName=stream, NextToken="AAAA") == INVALID


def test_tags_of_a_resource(kvs, stream):
    """Lists where the stream operations take maps."""
    arn = info(kvs, stream)["StreamARN"]
    kvs.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    assert kvs.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "1", "b": ""}
    assert kvs.list_tags_for_stream(StreamName=stream)["Tags"] == {"a": "1", "b": ""}
    kvs.untag_resource(ResourceARN=arn, TagKeyList=["b", "c"])
    assert kvs.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "1"}
    one = [{"Key": "k", "Value": "v"}]
    for operation, members in (
        (kvs.tag_resource, {"Tags": one}),
        (kvs.untag_resource, {"TagKeyList": ["k"]}),
        (kvs.list_tags_for_resource, {}),
    ):
        channel = arn.replace(":stream/", ":channel/")
        assert refusal(operation, ResourceARN=stale(arn), **members) == NOT_FOUND
        assert refusal(operation, ResourceARN=channel, **members) == NOT_FOUND
        assert refusal(operation, ResourceARN="no-arn", **members) == INVALID
    many = [{"Key": f"k{i}", "Value": ""} for i in range(50)]
    assert refusal(kvs.tag_resource, ResourceARN=arn, Tags=many) == TOO_MANY_TAGS
    assert refusal(kvs.tag_resource, ResourceARN=arn, Tags=many + one) == TOO_MANY_TAGS
    assert kvs.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "1"}


def test_describe_refusals(kvs, stream):
    arn = info(kvs, stream)["StreamARN"]
    describe = lambda **members: refusal(kvs.describe_stream, **members)
    assert describe() == INVALID
    assert describe(StreamName="nowhere") == NOT_FOUND
    assert describe(StreamARN=stale(arn)) == NOT_FOUND
    assert describe(StreamARN=arn.replace(REGION, "eu-west-1")) == NOT_FOUND
    assert describe(StreamARN=arn.replace("kinesisvideo", "s3")) == INVALID
    assert describe(StreamName="x" * 257) == INVALID


@pytest.mark.parametrize("body", [
    b"{", b"[]", b'"text"', b"null", b'{"StreamName":1}', b'{"StreamName":["a"]}',
    b'{"StreamName":"a"}x', b"\xff\xfe", b"{" * 4000, b'{"a":' * 4000 + b"1" + b"}" * 4000,
    b'{"StreamName":"\\ud800"}',
])
def test_bodies_that_are_no_request(server, body):
    answer = call(server.url, "/describeStream", body)
    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] in (
        "InvalidArgumentException", "SerializationException",
    )
    assert list(answer.json()) in (["Message"], ["message"])


def test_bodies_that_are_one(server, stream):
    """Unknown members are for later versions, null is absent, no content type is fine."""
    for body in (
        json.dumps({"StreamName": stream, "Later": {"a": [1]}, "StreamARN": None}),
        json.dumps({"StreamName": stream}, indent="\t") + "\n",
    ):
        assert call(server.url, "/describeStream", body).status == 200
    assert call(server.url, "/listStreams", "").status == 200
    assert call(server.url, "/listStreams", "{}", signed={"content-type": "text/plain"}).status == 200


def test_a_refusal_on_the_wire(server):
    answer = call(server.url, "/describeStream", '{"StreamName":"nowhere"}')
    assert answer.status == 404
    assert answer.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-amzn-requestid"])
    assert "date" in answer.headers
    assert answer.headers["content-length"] == str(len(answer.body))
    assert list(answer.json()) == ["Message"]


def test_too_large_a_body_is_not_read(server):
    answer = call(server.url, "/describeStream", b" " * 4_000_000)
    assert answer.status in (400, 413)


@pytest.mark.parametrize("path", ["/nothing", "/describeStream/", "/", "//describeStream",
                                  "/%64escribeStream", "/../describeStream"])
def test_paths_that_are_no_operation(server, path):
    answer = call(server.url, path, "{}")
    assert answer.status in (400, 403, 404), answer.body
    assert b"StreamInfo" not in answer.body


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_methods_that_are_no_operation(server, method):
    answer = call(server.url, "/describeStream", "", method=method)
    assert answer.status == 405 and answer.headers["allow"] == "POST"


@pytest.mark.parametrize("operation", sorted(later_operations()))
def test_what_is_not_there_yet_is_refused(server, operation):
    """With an error of its model, never with an invented answer."""
    path = later_operations()[operation]
    assert api_paths()[operation] == path
    answer = call(server.url, path, "{}")
    assert answer.error == INVALID
    text = answer.json().get("Message") or answer.json()["message"]
    assert operation in text and "not available" in text


def test_over_tls(server, stream):
    kvs = server.client(url=server.tls_url, verify=server.ca_file)
    assert info(kvs, stream)["StreamName"] == stream
    endpoint = kvs.get_data_endpoint(StreamName=stream, APIName="PUT_MEDIA")["DataEndpoint"]
    assert endpoint == server.tls_url
    name = f"tls-{time.time_ns()}"
    arn = kvs.create_stream(StreamName=name)["StreamARN"]
    assert refusal(kvs.create_stream, StreamName=name) == IN_USE
    kvs.delete_stream(StreamARN=arn)
    assert refusal(kvs.describe_stream, StreamName=name) == NOT_FOUND


def test_tls_is_not_trusted_without_the_authority(server):
    with pytest.raises(Exception, match="(?i)certificate"):
        server.client(url=server.tls_url).list_streams()


def test_everything_is_there_after_a_restart(make_server):
    server = make_server()
    kvs = server.client()
    for i in range(5):
        kvs.create_stream(
            StreamName=f"cam{i}", DataRetentionInHours=i, DeviceName=f"dev{i}",
            Tags={"n": str(i), "ü": "ö"},
        )
    kvs.update_stream(
        StreamName="cam1", CurrentVersion=info(kvs, "cam1")["Version"], DeviceName="changed"
    )
    kvs.update_data_retention(
        StreamName="cam2", CurrentVersion=info(kvs, "cam2")["Version"],
        Operation="INCREASE_DATA_RETENTION", DataRetentionChangeInHours=7,
    )
    kvs.update_stream_storage_configuration(
        StreamName="cam3", CurrentVersion=info(kvs, "cam3")["Version"],
        StreamStorageConfiguration={"DefaultStorageTier": "WARM"},
    )
    kvs.delete_stream(StreamARN=info(kvs, "cam4")["StreamARN"])

    def everything():
        streams = kvs.list_streams()["StreamInfoList"]
        names = [stream["StreamName"] for stream in streams]
        return (
            streams,
            [kvs.list_tags_for_stream(StreamName=name)["Tags"] for name in names],
            [kvs.describe_stream_storage_configuration(StreamName=name)[
                "StreamStorageConfiguration"] for name in names],
        )

    before = everything()
    assert len(before[0]) == 4
    token = kvs.list_streams(MaxResults=2)["NextToken"]
    authority = pathlib.Path(server.ca_file).read_bytes()
    for end in (server.stop, server.kill):
        end()
        server.start()
        assert everything() == before
    page = kvs.list_streams(MaxResults=2, NextToken=token)["StreamInfoList"]
    assert [stream["StreamName"] for stream in page] == ["cam2", "cam3"]
    assert pathlib.Path(server.ca_file).read_bytes() == authority, "clients trust it already"
    assert refusal(kvs.describe_stream, StreamName="cam4") == NOT_FOUND
    kvs.update_stream(
        StreamName="cam1", CurrentVersion=info(kvs, "cam1")["Version"], MediaType="video/h264"
    )


def test_what_start_prints(make_server):
    """The lines to paste, and never the secret of the environment."""
    server = make_server()
    deadline = time.monotonic() + 5
    while "Ctrl-C" not in (output := server.output()):
        assert time.monotonic() < deadline, output
        time.sleep(0.02)
    assert f"AWS_ENDPOINT_URL_KINESIS_VIDEO={server.url}" in output
    assert f"AWS_CA_BUNDLE={server.ca_file}" in output
    assert SECRET_KEY not in output + server.log()
    assert server.stop() == 0


def test_a_second_server_on_the_same_directory_is_refused(make_server):
    server = make_server()
    second = Server(server.data_dir)
    second.log_path = server.data_dir.with_suffix(".second.log")
    second.output_path = server.data_dir.with_suffix(".second.out")
    with pytest.raises(RuntimeError, match="the server ended"):
        second.start()
    assert server.client().list_streams()["StreamInfoList"] == []


def test_plain_http_beyond_loopback_is_refused(tmp_path):
    run = subprocess.run(
        [binary(), "serve", "--data-dir", str(tmp_path / "data"), "--listen", "0.0.0.0:0"],
        capture_output=True, text=True, timeout=20,
    )
    assert run.returncode != 0 and "--tls-listen" in run.stderr
    assert not (tmp_path / "data").exists()


def test_first_credentials_are_made_and_kept(tmp_path):
    """Without any in the environment: made once, shown once, private, the same after a restart."""
    server = Server(tmp_path / "data")
    for name in ("STREAMKEEP_ROOT_ACCESS_KEY_ID", "STREAMKEEP_ROOT_SECRET_ACCESS_KEY"):
        server.env.pop(name)
    try:
        server.start()
        deadline = time.monotonic() + 5
        while "Ctrl-C" not in (output := server.output()):
            assert time.monotonic() < deadline, output
            time.sleep(0.02)
        key = re.search(r"AWS_ACCESS_KEY_ID=(\S+)", output)[1]
        secret = re.search(r"AWS_SECRET_ACCESS_KEY=(\S+)", output)[1]
        kvs = server.client(access_key=key, secret_key=secret)
        kvs.create_stream(StreamName="cam")
        assert refusal(server.client().list_streams)[1] == 403
        kept = server.data_dir / "root-credentials"
        assert kept.stat().st_mode & 0o777 == 0o600 and secret in kept.read_text()
        assert server.data_dir.stat().st_mode & 0o777 == 0o700
        assert (server.data_dir / "root.key").stat().st_mode & 0o777 == 0o600
        server.stop()
        server.start()
        assert server.output().count(secret) == 1, "shown once"
        assert secret not in server.log()
        assert info(kvs, "cam")["StreamName"] == "cam"
    finally:
        server.remove()


def test_concurrent_updates_one_wins(server, kvs, stream):
    """Of many updates with one version, exactly one is done."""
    version = info(kvs, stream)["Version"]
    outcomes = []

    def update(i):
        client = server.client()
        try:
            client.update_stream(
                StreamName=stream, CurrentVersion=version, DeviceName=f"dev{i}"
            )
            outcomes.append(f"dev{i}")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=update, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [outcome for outcome in outcomes if outcome.startswith("dev")]
    assert len(won) == 1 and info(kvs, stream)["DeviceName"] == won[0]
    assert set(outcomes) <= {won[0], "VersionMismatchException", "ResourceInUseException"}


def test_pages_of_other_origins(server, stream):
    """A browser asks first, and shows its page only what the answer exposes (Fetch standard §3.2)."""
    asked = "authorization,content-type,x-amz-date,x-amz-user-agent,amz-sdk-invocation-id"
    origin = {"host": f"127.0.0.1:{server.port}", "origin": "http://page.example"}
    wanted = {
        **origin, "access-control-request-method": "POST", "access-control-request-headers": asked,
    }
    for path in api_paths().values():
        answer = send(server.url, "OPTIONS", path, wanted, None)
        assert (answer.status, answer.body) == (204, b""), path
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == asked
        assert int(answer.headers["access-control-max-age"]) > 0
    known, unknown = json.dumps({"StreamName": stream}), json.dumps({"StreamName": "none-such"})
    answers = [
        (200, call(server.url, "/describeStream", known)),
        (404, call(server.url, "/describeStream", unknown)),
        (400, call(server.url, "/describeStream", "{")),
        (403, send(server.url, "POST", "/describeStream", origin, b"{}")),
        (405, send(server.url, "GET", "/describeStream", origin, None)),
        (403, send(server.url, "POST", "/putMedia", origin, b"")),
        (400, send(server.url, "POST", "/none", origin, None)),
        (200, send(server.url, "GET", "/time", origin, None)),
    ]
    for status, answer in answers:
        assert answer.status == status, answer.body
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = answer.headers["access-control-expose-headers"].lower()
        assert {"date", "x-amzn-errortype", "x-amzn-requestid"} <= set(exposed.split(", "))
        assert "access-control-allow-credentials" not in answer.headers
    # Open to this machine without a signature: no page may read it.
    for path in ("/metrics", "/healthz"):
        answer = send(server.url, "GET", path, origin, None)
        assert answer.status == 200 and "access-control-allow-origin" not in answer.headers
