"""A real WordPress behind a real Apache: `monitor check` counts what was asked of it as docs/page-views.md says."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.conftest import part, part_file
from tests.test_nginx import BOT
from tests.test_servers import APACHE, MODULES, Server, running, wait_for

USER = ("--user=root",) if os.geteuid() == 0 else ()
PHP = """
DirectoryIndex index.php
<FilesMatch "\\.php$">
  SetHandler application/x-httpd-php
</FilesMatch>
<Directory {at}/site>
  RewriteEngine On
  RewriteCond %{{REQUEST_FILENAME}} !-f
  RewriteCond %{{REQUEST_FILENAME}} !-d
  RewriteRule . /index.php [L]
</Directory>
StartServers 2
MaxRequestWorkers 4
"""
CONFIG = """<?php
define('DB_NAME', 'blog');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{at}/sql');
define('WP_HOME', 'http://127.0.0.1:{port}');
define('WP_SITEURL', WP_HOME);
define('WP_DEFAULT_THEME', 'plain');
define('DISABLE_WP_CRON', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', '{at}/site/');
require_once ABSPATH . 'wp-settings.php';
"""
THEME = """<html><head><?php wp_head(); ?></head><body><?php
while (have_posts()) { the_post(); the_title(); the_content(); }
wp_footer(); ?></body></html>
"""
QUIET = """<?php
add_filter('pre_http_request', function () { return new WP_Error('off', 'asks nobody, itself neither'); });
"""
INSTALL = """
define('WP_INSTALLING', true);
require 'site/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
function wp_mail() { return true; }
wp_install('Notes', 'ada', 'ada@example.org', true, '', 'open sesame');
wp_insert_post(['post_title' => 'Not yet', 'post_status' => 'draft', 'import_id' => 77]);
"""
PERMALINKS = """
require 'site/wp-load.php';
update_option('permalink_structure', '{}');
update_option('rewrite_rules', '');
"""
MONITOR = """
[owner]
name = "Ada Example"
timezone = "UTC"

[[page_views]]
kind = "access_log"
files = "logs/access.log"
hosts = ["127.0.0.1"]
"""


@contextmanager
def database(folder: Path) -> Iterator[None]:
    """An empty MariaDB that listens on the socket `sql`, until the block ends."""
    install, server = (part(name, "mariadb-server-core") for name in ("mariadb-install-db", "mariadbd"))
    data = f"--datadir={folder}/data"
    make = [install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db", *USER]
    subprocess.run(make, check=True, capture_output=True, timeout=120)
    small = ("--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", *USER)
    command = [server, "--no-defaults", data, f"--socket={folder}/sql", f"--pid-file={folder}/sql.pid", *small]
    with (folder / "sql.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for(lambda: process.poll() is not None or (folder / "sql").exists(), "open its database")
        assert process.poll() is None, (folder / "sql.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(20)


def php(folder: Path, program: str) -> None:
    """Run a program in the folder of the blog."""
    command = [part("php", "libapache2-mod-php"), "-d", "display_errors=1", "-r", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done


@contextmanager
def blog(folder: Path) -> Iterator[Server]:
    """A new blog with one post, one page and one draft, behind Apache; its files are Debian's."""
    program, _ = part("apache2", "apache2"), part("mariadbd", "mariadb-server-core")
    wordpress = part_file("/usr/share/wordpress", "wp-load.php", "wordpress").parent
    module = part_file(f"{MODULES}", "libphp*.so", "libapache2-mod-php")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    site, theme = folder / "site", folder / "site" / "wp-content" / "themes" / "plain"
    theme.mkdir(parents=True)
    (folder / "logs").mkdir()
    for one in wordpress.glob("*.php"):
        shutil.copy(one, site)
    shutil.copytree(wordpress / "wp-admin", site / "wp-admin", symlinks=True)  # looks for wp-load.php where it stands
    (site / "wp-includes").symlink_to(wordpress / "wp-includes")
    (site / "wp-config.php").write_text(CONFIG.format(at=folder, port=port))
    (theme / "style.css").write_text("/* Theme Name: Plain */")
    (theme / "index.php").write_text(THEME)
    (site / "wp-content" / "mu-plugins").mkdir()
    (site / "wp-content" / "mu-plugins" / "quiet.php").write_text(QUIET)
    names = ["mpm_prefork", "authz_core", "dir", "mime", "rewrite"]
    modules = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names]
    modules.append(f"LoadModule php_module {module}")
    conf = folder / "apache.conf"
    conf.write_text((APACHE + PHP).format(at=folder, port=port, modules="\n".join(modules)))
    with database(folder):
        php(folder, "(new mysqli('localhost', 'root', '', '', 0, 'sql'))->query('create database blog');")
        php(folder, INSTALL)
        with running([program, "-f", str(conf), "-D", "FOREGROUND"], folder, port) as server:
            yield server


def log_in(server: Server) -> str:
    """The cookies of the blog's owner."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    form = urllib.parse.urlencode({"log": "ada", "pwd": "open sesame", "testcookie": "1"})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": "wordpress_test_cookie=1"}
    connection.request("POST", "/wp-login.php", form, headers)
    answer = connection.getresponse()
    said = answer.headers.get_all("Set-Cookie") or []
    connection.close()
    assert answer.status == 302, answer.status
    return "; ".join(cookie.partition(";")[0] for cookie in said)


# What is asked, and as what it counts: the path of a page view, or the reason why it is none.
PLAIN = (
    ("/", "/"),
    ("/index.php", "status"),  # sent on to /
    ("/?p=1", "/?p=1"),
    ("/?page_id=2", "/?page_id=2"),
    ("/?cat=1", "/?cat=1"),
    ("/?author=1", "/?author=1"),
    ("/?p=999", "status"),
    ("/?s=hello", "/"),
    ("/?feed=rss2", "feed"),
    ("/?rest_route=/wp/v2/posts", "noise"),
    ("/?p=1&preview=true", "status"),  # sent on to the post
    ("/?p=77", "status"),  # a draft, for all but its author
)
PRETTY = (
    ("/", "/"),
    ("/hello-world/", "/hello-world/"),
    ("/hello-world", "status"),  # sent on to /hello-world/
    ("/?p=1", "status"),  # the same
    ("/?s=hello", "/"),
    ("/category/uncategorized/", "/category/uncategorized/"),
    ("/nothing/here/", "status"),
    ("/feed/", "feed"),
    ("/comments/feed/", "feed"),
    ("/hello-world/feed/", "feed"),
    ("/hello-world/trackback/", "status"),
    ("/wp-json/", "noise"),
    ("/wp-json/wp/v2/posts", "noise"),
    ("/wp-login.php", "noise"),
    ("/wp-cron.php", "noise"),
    ("/xmlrpc.php", "status"),  # it wants a POST
    ("/wp-admin/", "status"),  # sent on to the login
    ("/wp-admin/admin-ajax.php", "status"),
    ("/robots.txt", "noise"),
    ("/wp-content/themes/plain/style.css", "not_a_page"),
    ("/wp-includes/js/jquery/jquery.min.js", "not_a_page"),
)
OWNER = (
    ("/?p=77&preview=true", "noise"),
    ("/wp-admin/", "noise"),
    ("/wp-admin/edit.php", "noise"),
    ("/wp-admin/admin-ajax.php?action=rest-nonce", "noise"),
)
PROGRAMS = (("/hello-world/", "bot"), ("/feed/", "feed"), ("/wp-login.php", "noise"))
POSTS = ("/xmlrpc.php", "/hello-world/trackback/", "/wp-cron.php?doing_wp_cron=1", "/wp-admin/admin-ajax.php")


def visit(server: Server) -> list[str]:
    """Ask all of it; gives as what each request counts."""
    php(server.folder, PERMALINKS.format(""))
    for path, _ in PLAIN:
        server.ask(path)
    php(server.folder, PERMALINKS.format("/%postname%/"))
    for path, _ in PRETTY:
        server.ask(path)
    server.ask("/hello-world/", Referer="https://www.linkedin.com/feed/")
    cookies = log_in(server)
    for path, _ in OWNER:
        server.ask(path, Cookie=cookies)
    for path, _ in PROGRAMS:
        server.ask(path, agent=BOT)
    for path in POSTS:
        server.ask(path, method="POST")
    server.ask("/hello-world/", method="HEAD")
    server.ask("/feed/", agent="Feedly/1.0 (+http://www.feedly.com/fetcher.html)")
    others = ["/hello-world/", "method", *("method" for _ in POSTS), "method", "feed"]
    return [counts_as for _, counts_as in (*PLAIN, *PRETTY, *OWNER, *PROGRAMS)] + others


def test_page_views_of_a_wordpress_agree_with_what_was_asked(tmp_path: Path) -> None:
    with blog(tmp_path) as server:
        asked = visit(server)
        server.written(len(asked))
    (tmp_path / "config.toml").write_text(MONITOR)
    command = [sys.executable, "-m", "monitor", "--config", str(tmp_path / "config.toml"), "check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "presence.db")) as conn:
        read = "select path, sum(views) from page_views join paths on paths.id = path_id group by path"
        paths = dict(conn.execute(read).fetchall())
        reasons = dict(conn.execute("select reason, sum(lines) from not_counted group by reason").fetchall())
        (site,) = conn.execute("select sum(views), sum(feed_views) from site_views").fetchall()
        referrers = dict(conn.execute("select referrer, sum(views) from referrers group by referrer").fetchall())
    log = server.log.read_text()
    assert paths == Counter(one for one in asked if one.startswith("/")), log
    assert reasons == Counter(one for one in asked if not one.startswith("/")), log
    assert site == (sum(paths.values()), asked.count("feed") - 1)  # a crawler's is not counted as read
    assert referrers == {"linkedin.com": 1, "-": sum(paths.values()) - 1}
    assert sum(paths.values()) + sum(reasons.values()) == log.count("\n")
