"""Signs S3 requests with botocore, so that a test can compare our signer with one that is not ours.

Reads one JSON object a line from stdin: method, host, path and query (not encoded), headers, payload_sha256,
access_key, secret_key, token (may be empty), region, timestamp ("20261124T123456Z").
Writes the Authorization header of each, one a line. Needs Debian's python3-botocore.
"""

import json
import sys
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class FixedSigner(S3SigV4Auth):
    """botocore's S3 signer with the time and the payload's hash given instead of taken."""

    def __init__(self, case):
        token = case["token"] or None
        super().__init__(Credentials(case["access_key"], case["secret_key"], token), "s3", case["region"])
        self._case = case

    def payload(self, request):
        return self._case["payload_sha256"]

    def sign(self, request):
        request.context["timestamp"] = self._case["timestamp"]
        self._modify_request_before_signing(request)
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))
        return request.headers["Authorization"]


def main():
    for line in sys.stdin:
        case = json.loads(line)
        request = AWSRequest(
            method=case["method"],
            url="https://" + case["host"] + quote(case["path"], safe="/~"),
            headers=case["headers"],
            params=[tuple(pair) for pair in case["query"]],
        )
        print(FixedSigner(case).sign(request), flush=True)


main()
