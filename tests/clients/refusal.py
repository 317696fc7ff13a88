"""What an SDK makes of a refusal."""

import pytest
from botocore.exceptions import ClientError


def refusal(call, *args, **kwargs):
    """Exception name and HTTP status; the header must say the same as the SDK's error."""
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    response = caught.value.response
    metadata = response["ResponseMetadata"]
    assert metadata["HTTPHeaders"]["x-amzn-errortype"] == response["Error"]["Code"]
    assert response["Error"]["Message"], "a text for a person to read"
    assert metadata["RequestId"]
    return response["Error"]["Code"], metadata["HTTPStatusCode"]
