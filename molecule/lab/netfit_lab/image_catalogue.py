# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that containers of the lab are made from."""

from __future__ import annotations

from .images import Image

GATEWAY_PORT = 8081
_WEB_CONFIGURATION = """\
daemon off;
user root;
worker_processes 1;
error_log stderr;
pid /tmp/nginx.pid;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {{
    listen {port}{backlog};
    location / {{
      # A gateway: it has read the whole body before it asks the application behind it.
      proxy_request_buffering on;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass http://127.0.0.1:8082;
    }}
  }}
  server {{
    listen 127.0.0.1:8082{backlog};
    location / {{ return 200 "ok\\n"; }}
  }}
}}
"""


def _web_configuration(backlog: str = "", connections: int = 512) -> str:
    return _WEB_CONFIGURATION.format(port=GATEWAY_PORT, backlog=backlog, connections=connections)


PAUSE = Image("docker.io/netfit/pause:1", ("/bin/sleep", "infinity"), ("sleep",))
WEB = Image(
    "docker.io/netfit/web:1",
    ("/bin/nginx",),
    ("nginx",),
    {
        "/etc/passwd": "root:x:0:0:root:/:/bin/false\n",
        "/etc/group": "root:x:0:\n",
        "/etc/nginx/nginx.conf": _web_configuration(),
        "/etc/nginx/tuned.conf": _web_configuration(" backlog=4096"),
        "/etc/nginx/gateway.conf": _web_configuration(" backlog=1024", 4096),
    },
    ("/tmp", "/var/log/nginx"),
)
"""nginx as a gateway on port 8081. Its queue is nginx's own 511; with /etc/nginx/tuned.conf it is 4096.

With /etc/nginx/gateway.conf it is 1024, and there is room for as many requests at once: each takes three connections.
"""

IMAGES = {"pause": PAUSE, "web": WEB}
