"""Configuration for web servers: who asks for an IRI is sent with 303 to its page, or to the data that he accepts."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

_ACCEPTED = (
    ("text/html", "html"),
    ("text/turtle", "ttl"),
    ("application/ld+json", "jsonld"),
    ("application/json", "prov.json"),
    ("image/svg+xml", "svg"),
)
IDS = "ids.map"
REWRITES = "ids.txt"
_NGINX = """# For nginx: in the http block, then `root` to the folder that holds this site.
map_hash_bucket_size 1024;
map_hash_max_size {size};
map $http_accept $provkg_ending {{
    default html;
{accepted}}}
map $request_uri $provkg_asked {{ "~^(?<provkg_path>[^?]*)" $provkg_path; default $request_uri; }}
map $provkg_asked $provkg_page {{
    default "";
    include {folder}/negotiation/ids.map;
}}
server {{
    listen {listen};
    root {folder};
    index index.html;
    charset utf-8;
    include {types};
    types {{
        text/turtle ttl;
        application/ld+json jsonld;
        application/n-quads nq;
        application/wasm wasm;
    }}
    location / {{
        if ($provkg_page) {{ return 303 $scheme://$http_host{path}$provkg_page.$provkg_ending; }}
        add_header Vary Accept;
        add_header X-Content-Type-Options nosniff;
        add_header Access-Control-Allow-Origin "*";
        try_files $uri $uri/ =404;
    }}
    location ~ \\.prov\\.json$ {{ add_header Access-Control-Allow-Origin "*"; }}
}}
"""
_APACHE = """# For Apache 2.4, in the configuration of the server (RewriteMap is not allowed in .htaccess).
AddType text/turtle .ttl
AddType application/ld+json .jsonld
AddType application/n-quads .nq
AddType application/wasm .wasm
Header merge Vary Accept
Header set Access-Control-Allow-Origin "*"
RewriteEngine on
RewriteMap provkg "txt:{folder}/negotiation/ids.txt"
{accepted}"""
_APACHE_RULE = """RewriteCond %{{HTTP_ACCEPT}} {media}
RewriteCond ${{provkg:%{{REQUEST_URI}}|none}} !=none
RewriteRule ^ {path}${{provkg:%{{REQUEST_URI}}}}.{ending} [R=303,L]
"""


def nginx(base: str, count: int, *, folder: str = "/srv/site/data", listen: str = "80", types: str = "") -> str:
    """Return the configuration of nginx.

    Args:
        base: what the IRIs begin with.
        count: how many IRIs there are.
        folder: where the site lies.
        listen: address and port.
        types: the file of media types that nginx comes with.
    """
    accepted = "".join(f'    "~*{media.replace("+", "[+]")}" {ending};\n' for media, ending in _ACCEPTED)
    size = 1 << max(14, (4 * count).bit_length())
    path, types = urlsplit(base).path, types or "/etc/nginx/mime.types"
    return _NGINX.format(size=size, accepted=accepted, folder=folder, listen=listen, types=types, path=path)


def apache(base: str, *, folder: str = "/srv/site/data") -> str:
    """Return the configuration of Apache."""
    path = urlsplit(base).path
    rules = "".join(_APACHE_RULE.format(media=media, ending=ending, path=path) for media, ending in _ACCEPTED)
    other = '"!(text/turtle|json|svg)"'
    return _APACHE.format(folder=folder, accepted=rules + _APACHE_RULE.format(media=other, ending="html", path=path))


def ids(base: str, pages: Mapping[str, str]) -> tuple[str, str]:
    """Return the page of each IRI of the base, as nginx and as Apache read it.

    Args:
        base: what the IRIs begin with; those of others have no place here.
        pages: the page of each IRI, without its ending.
    """
    path = urlsplit(base).path
    told = {path + iri.removeprefix(base): page for iri, page in pages.items() if iri.startswith(base)}
    plain = {key: page for key, page in told.items() if '"' not in key and "\\" not in key and key.isascii()}
    ordered = sorted(plain.items())
    return "".join(f'"{key}" "{page}";\n' for key, page in ordered), "".join(f"{key} {page}\n" for key, page in ordered)
