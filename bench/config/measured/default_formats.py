"""The format strings of access logs with times that no one has to write: they are the default of a program.

Sources: Envoy, "Access logging"; Istio, "Envoy Access Logs"; ingress-nginx, "Log format".
"""

from typing import Final

from bench.config.measured.figures import ServerName

_ENVOY_START: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" '
    "%RESPONSE_CODE% %RESPONSE_FLAGS% "
)
_ENVOY_END: Final = (
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
)
_ISTIO: Final = (
    f"{_ENVOY_START}%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    f'"%UPSTREAM_TRANSPORT_FAILURE_REASON%" {_ENVOY_END} %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% '
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"
)
_INGRESS: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" $request_length $request_time [$proxy_upstream_name] '
    "[$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time "
    "$upstream_status $req_id"
)
DEFAULT_FORMATS: Final[tuple[tuple[ServerName, str], ...]] = (
    ("envoy", _ISTIO),
    ("envoy", _ENVOY_START + _ENVOY_END),
    ("nginx", _INGRESS),
)
"""With the server that writes them: Istio's proxies are Envoy, and the ingress controller is nginx."""
