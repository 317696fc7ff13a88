"""Images and notifications of tagged fragments, as their receivers see them."""

import hashlib
import hmac
import json
import re
import shutil
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import matroska as mkv
from conftest import ACCESS_KEY, REGION, SECRET_KEY
from put_media import PutMedia

SECRET = "a secret of at least sixteen"
IMAGE = "AWS_KINESISVIDEO_IMAGE_GENERATION"
IMAGE_PREFIX = "AWS_KINESISVIDEO_IMAGE_PREFIX"
NOTIFICATION = "AWS_KINESISVIDEO_NOTIFICATION"
GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def gop(tmp_path_factory):
    """One second of H.264: CodecPrivate, and (milliseconds, is a key frame, bytes) of five frames."""
    if not shutil.which("ffmpeg") or not shutil.which("ffprobe"):
        pytest.skip("no ffmpeg to make a picture with")
    path = tmp_path_factory.mktemp("gop") / "gop.mkv"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=5",
         "-frames:v", "5", "-c:v", "libx264", "-g", "5", "-bf", "0", "-pix_fmt", "yuv420p", path],
        check=True, timeout=30,
    )
    private, frames = None, []
    for identifier, data in mkv.children(dict(mkv.children(path.read_bytes()))[mkv.SEGMENT]):
        if identifier == "1654ae6b":
            private = dict(mkv.children(dict(mkv.children(data))["ae"]))["63a2"]
        if identifier == mkv.CLUSTER:
            base = 0
            for kind, block in mkv.children(data):
                if kind == "e7":
                    base = int.from_bytes(block, "big")
                if kind == "a0":
                    block = dict(mkv.children(block))["a1"]
                if kind in ("a0", "a3"):
                    at = base + int.from_bytes(block[1:3], "big", signed=True)
                    frames.append((at, not frames, block[4:]))
    assert private and len(frames) == 5
    return private, frames


class Producer:
    """Sends one fragment of the GOP after the other, each with the tags it is given."""

    def __init__(self, server, stream, gop):
        self.private, self.frames = gop
        self.at = int(time.time() * 1000) - 60_000
        self.session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY,
                                start=str(self.at / 1000))
        assert self.session.head() == 200
        self.session.send(mkv.header([mkv.video_track(private=self.private)]))

    def send(self, *groups):
        """Sends a fragment; its producer timestamp and number once it is persisted."""
        at = self.at
        self.at += 1000
        body = mkv.cluster(at)
        body += b"".join(mkv.block(1, when, key, data) for when, key, data in self.frames)
        body += b"".join(mkv.tags(*group) for group in groups) + mkv.END_OF_FRAGMENT
        self.session.send(body)
        acks = self.session.wait_for("PERSISTED", timecode=at)
        [number] = [a["FragmentNumber"] for a in acks
                    if a["EventType"] == "PERSISTED" and a["FragmentTimecode"] == at]
        return at, number


class Receiver:
    """A webhook: keeps what it gets, and answers unless `answers` is false."""

    def __init__(self):
        self.got, self.answers = [], True
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((dict(self.headers.items()), body))
                if receiver.answers:
                    self.send_response(204)
                    self.end_headers()
                else:
                    time.sleep(1)
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?x=1"

    def wait(self, count, seconds=10):
        wait_until(lambda: len(self.got) >= count, seconds, lambda: self.got)
        return self.got


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def wait_until(is_true, seconds=10, shown=lambda: ""):
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.02)


def figure(server, name):
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    [value] = [line.split()[1] for line in text.splitlines()
               if line.startswith(f"streamkeep_{name} ")]
    return float(value)


def create(server, stream="cam"):
    kvs = server.client()
    kvs.create_stream(StreamName=stream, DataRetentionInHours=2)
    return kvs


def images_to(kvs, uri, stream="cam", **members):
    kvs.update_image_generation_configuration(StreamName=stream, ImageGenerationConfiguration={
        "Status": "ENABLED", "ImageSelectorType": "PRODUCER_TIMESTAMP",
        "DestinationConfig": {"Uri": uri, "DestinationRegion": REGION},
        "SamplingInterval": 600, "Format": "JPEG", **members,
    })


def notify(kvs, uri, stream="cam", status="ENABLED"):
    kvs.update_notification_configuration(StreamName=stream, NotificationConfiguration={
        "Status": status, "DestinationConfig": {"Uri": uri},
    })


def size(path):
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
         "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0", path],
        capture_output=True, text=True, timeout=20, check=True,
    )
    assert not probed.stderr, probed.stderr
    codec, width, height, frames = probed.stdout.strip().split(",")
    assert frames == "1"
    return codec, int(width), int(height)


def test_images_in_the_directory(make_server, gop):
    server = make_server()
    kvs = create(server)
    producer = Producer(server, "cam", gop)
    producer.send([(IMAGE, "")])  # before the configuration: none
    images_to(kvs, "file:///cams/front", WidthPixels=160, FormatConfig={"JPEGQuality": "70"})
    producer.send()  # not tagged: none
    at, number = producer.send([(IMAGE, ""), (IMAGE_PREFIX, "gate/a"), ("who", "me & you")])
    folder = server.data_dir / "images" / "cams" / "front" / "gate"
    wait_until(lambda: len(list(folder.glob("*.jpg"))) == 2, shown=server.log_tail)
    assert figure(server, "delivery_images_total") == 2
    made = sorted(folder.glob("*.jpg"))
    for path, instant in zip(made, (at, at + 600)):
        assert re.fullmatch(f"a_000000000000_cam_{instant}_{GUID}\\.jpg", path.name)
        assert size(path) == ("mjpeg", 160, 120)
        said = json.loads(path.with_name(path.name + ".json").read_text())
        assert number in json.dumps(said) and str(at) in json.dumps(said)
    assert made[0].read_bytes() != made[1].read_bytes()
    # The switch is obeyed, and what came meanwhile is not made up for.
    images_to(kvs, "file:///cams/front", Status="DISABLED")
    producer.send([(IMAGE, "")])
    images_to(kvs, "file:///later", Format="PNG", SamplingInterval=20_000)
    at, _ = producer.send([(IMAGE, "")])
    folder = server.data_dir / "images" / "later"
    wait_until(lambda: list(folder.glob("*.png")), shown=server.log_tail)
    [path] = folder.glob("*.png")
    assert f"_cam_{at}_" in path.name and size(path) == ("png", 320, 240)
    assert figure(server, "delivery_images_total") == 3
    assert figure(server, "delivery_waiting") == 0
    assert figure(server, "delivery_dead") == 0


def test_images_at_an_interval_without_tags(make_server, gop):
    """Cameras set no tags: the stream's tag streamkeep:ImageTrigger asks for images of all it has."""
    server = make_server()
    kvs = create(server)
    images_to(kvs, "file:///all", SamplingInterval=2_000)
    producer = Producer(server, "cam", gop)
    producer.send()  # not asked for yet
    time.sleep(0.5)  # and looked at: that takes a tenth of a second
    wrong = {"streamkeep:ImageTrigger": "sometimes"}
    with pytest.raises(kvs.exceptions.InvalidArgumentException, match="TAGGED or ALWAYS"):
        kvs.tag_stream(StreamName="cam", Tags=wrong)
    kvs.tag_stream(StreamName="cam", Tags={"streamkeep:ImageTrigger": "ALWAYS"})
    sent = [producer.send()[0] for _ in range(5)]  # a second each
    folder = server.data_dir / "images" / "all"
    wait_until(lambda: len(list(folder.glob("*.jpg"))) == 3, shown=server.log_tail)
    instants = sorted(int(path.name.split("_")[2]) for path in folder.glob("*.jpg"))
    assert instants == [sent[0], sent[0] + 2_000, sent[0] + 4_000]
    kvs.untag_stream(StreamName="cam", TagKeyList=["streamkeep:ImageTrigger"])
    producer.send()
    at, _ = producer.send([(IMAGE, "")])  # and the tags of producers are heeded as before
    wait_until(lambda: list(folder.glob(f"*_{at}_*.jpg")), shown=server.log_tail)
    assert len(list(folder.glob("*.jpg"))) == 4


def test_webhook(make_server, gop, receiver):
    server = make_server("--delivery-allow", "localhost,127.0.0.1",
                         env={"STREAMKEEP_WEBHOOK_SECRET": SECRET})
    kvs = create(server)
    notify(kvs, receiver.url)
    producer = Producer(server, "cam", gop)
    producer.send([(IMAGE, "")])
    at, number = producer.send([(NOTIFICATION, ""), ("door", "öffen"), ("n", "1")])
    [(headers, body)] = receiver.wait(1)
    message = json.loads(body)
    arn = kvs.describe_stream(StreamName="cam")["StreamInfo"]["StreamARN"]
    server_time = message.pop("FragmentStartServerTimestamp")
    assert abs(server_time / 1000 - time.time()) < 60
    assert message == {
        "StreamArn": arn, "FragmentNumber": number, "FragmentStartProducerTimestamp": at,
        "NotificationType": "PERSISTED", "NotificationPayload": {"door": "öffen", "n": "1"},
    }
    headers = {name.lower(): value for name, value in headers.items()}
    signed = re.fullmatch("t=([0-9]+),v1=([0-9a-f]{64})", headers["x-streamkeep-signature"])
    proof = hmac.new(SECRET.encode(), signed[1].encode() + b"." + body, hashlib.sha256)
    assert hmac.compare_digest(proof.hexdigest(), signed[2])
    assert abs(int(signed[1]) - time.time()) < 60
    assert headers["x-streamkeep-delivery"]
    assert figure(server, "delivery_notifications_total") == 1


def test_no_private_address_unless_allowed(make_server, gop, receiver):
    server = make_server(env={"STREAMKEEP_WEBHOOK_SECRET": SECRET})
    notify(create(server), receiver.url)
    Producer(server, "cam", gop).send([(NOTIFICATION, "")])
    wait_until(lambda: figure(server, "delivery_dead") == 1, shown=server.log_tail)
    assert figure(server, "delivery_given_up_total") == 1
    assert not receiver.got
    assert "delivery given up" in server.log() and "loopback" in server.log().lower()


def test_without_a_way_out(make_server, gop):
    """No key for S3, no secret: given up with the reason, not lost in silence."""
    server = make_server()
    kvs = create(server)
    images_to(kvs, "s3://pictures")
    notify(kvs, "https://example.com/hook")
    Producer(server, "cam", gop).send([(IMAGE, "")], [(NOTIFICATION, "")])
    wait_until(lambda: figure(server, "delivery_dead") == 3, shown=server.log_tail)
    assert "no S3 service is configured" in server.log()
    assert "no webhook secret is configured" in server.log()


def test_s3_and_sns(make_server, gop, tmp_path):
    moto = pytest.importorskip("moto.server", reason="no moto[server]")
    boto3 = pytest.importorskip("boto3")
    cloud = moto.ThreadedMotoServer("127.0.0.1", port=0)
    cloud.start()
    try:
        host, port = cloud.get_host_and_port()
        url = f"http://{host}:{port}"
        key = {"ACCESS_KEY_ID": "AKIDCLOUD", "SECRET_ACCESS_KEY": "cloudsecret"}
        server = make_server(
            "--s3-endpoint", url, "--sns-endpoint", url,
            env={f"STREAMKEEP_{service}_{name}": value
                 for service in ("S3", "SNS") for name, value in key.items()},
        )

        def client(service):
            return boto3.client(service, endpoint_url=url, region_name=REGION,
                                aws_access_key_id=key["ACCESS_KEY_ID"],
                                aws_secret_access_key=key["SECRET_ACCESS_KEY"])

        s3, sns, sqs = client("s3"), client("sns"), client("sqs")
        s3.create_bucket(Bucket="pictures",
                         CreateBucketConfiguration={"LocationConstraint": REGION})
        topic = sns.create_topic(Name="doors")["TopicArn"]
        queue = sqs.create_queue(QueueName="doors")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs",
                      Endpoint=topic.replace(":sns:", ":sqs:"))
        kvs = create(server)
        images_to(kvs, "s3://pictures/cams/", SamplingInterval=20_000)
        notify(kvs, topic)
        at, number = Producer(server, "cam", gop).send(
            [(IMAGE, ""), (IMAGE_PREFIX, "gate"), ("who", "me")], [(NOTIFICATION, ""), ("a", "b")])

        wait_until(lambda: figure(server, "delivery_images_total") == 1, shown=server.log_tail)
        [listed] = s3.list_objects_v2(Bucket="pictures")["Contents"]
        assert re.fullmatch(f"cams/gate_000000000000_cam_{at}_{GUID}\\.jpg", listed["Key"])
        found = s3.get_object(Bucket="pictures", Key=listed["Key"])
        assert found["ContentType"] == "image/jpeg"
        assert found["Metadata"]["aws_kinesisvideo_fragment_number"] == number
        assert found["Metadata"]["aws_kinesisvideo_producer_timestamp"] == str(at)
        assert found["Metadata"]["who"] == "me"
        path = tmp_path / "image.jpg"
        path.write_bytes(found["Body"].read())
        assert size(path) == ("mjpeg", 320, 240)

        messages = []
        wait_until(lambda: messages.extend(
            sqs.receive_message(QueueUrl=queue).get("Messages", [])) or messages,
            shown=server.log_tail)
        outer = json.loads(messages[0]["Body"])
        assert outer["Subject"] == "Kinesis Video Streams Notification"
        message = json.loads(outer["Message"])
        assert message["FragmentNumber"] == number
        assert message["NotificationPayload"] == {"a": "b"}
    finally:
        cloud.stop()


def test_killed_between_persisted_and_delivery(make_server, gop, receiver):
    server = make_server("--delivery-allow", "127.0.0.0/8",
                         env={"STREAMKEEP_WEBHOOK_SECRET": SECRET})
    notify(create(server), receiver.url)
    receiver.answers = False
    producer = Producer(server, "cam", gop)
    numbers = [producer.send([(NOTIFICATION, "")])[1]]
    receiver.wait(1)  # at work, not done
    numbers += [producer.send([(NOTIFICATION, "")])[1] for _ in range(3)]
    server.kill()  # the last is hardly written down yet
    time.sleep(0.2)
    before = list(receiver.got)
    receiver.got.clear()
    receiver.answers = True
    server.start()
    receiver.wait(4)
    wait_until(lambda: figure(server, "delivery_waiting") == 0, shown=server.log_tail)
    time.sleep(0.3)
    after = [(h["x-streamkeep-delivery"], json.loads(b)["FragmentNumber"])
             for h, b in receiver.got]
    assert sorted(number for _, number in after) == sorted(numbers), "each once more"
    assert len({delivery for delivery, _ in after}) == 4
    # What was at work keeps its name, so that a receiver can tell it is the same.
    assert {h["x-streamkeep-delivery"] for h, _ in before} <= {name for name, _ in after}
    assert server.stop() == 0
    # Nothing again after an orderly stop.
    receiver.got.clear()
    server.start()
    time.sleep(0.5)
    assert not receiver.got


def test_secrets_are_whole_and_never_shown(make_server, tmp_path):
    with pytest.raises(RuntimeError, match="STREAMKEEP_S3_SECRET_ACCESS_KEY"):
        make_server(env={"STREAMKEEP_S3_ACCESS_KEY_ID": "AKIDCLOUD"})
    with pytest.raises(RuntimeError, match="STREAMKEEP_WEBHOOK_SECRET: expected at least 16"):
        make_server(env={"STREAMKEEP_WEBHOOK_SECRET": "short"})
    with pytest.raises(RuntimeError, match="10.0.0.1/8"):
        make_server("--delivery-allow", "10.0.0.1/8")
