"""New credential keys for a console that has work: while it runs, and the new one alone after."""

from cryptography.fernet import Fernet

from tests.processes.child import run, wait_for
from tests.processes.console import Console

LINA = "lina@im.wechat"
KEYS = "WEILINK_CREDENTIAL_KEYS"


def test_keys_are_changed_while_people_write(console: Console) -> None:
    """OLD → NEW,OLD → rotate_keys → NEW: nothing is lost, and replies are sent with old tokens."""
    old, new = console.env[KEYS], Fernet.generate_key().decode()
    console.start()
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "before")
    wait_for(lambda: console.incoming() == ["before"], "stored under the old key")
    assert console.child.terminate() == 0

    console.env[KEYS] = f"{new},{old}"
    console.start()
    assert "need an older key still" in run("rotate_keys", "--check", env=console.env).stdout
    console.control.write_bulk([bot], count=50, people=5, prefix="m")
    rotated = run("rotate_keys", env=console.env)
    assert console.child.is_running
    wait_for(lambda: len(console.incoming()) == 51, "all stored meanwhile")
    assert "were encrypted with the newest key." in rotated.stdout, rotated.stderr
    checked = run("rotate_keys", "--check", env=console.env)
    assert checked.returncode == 0, checked.stdout
    assert "The newest key reads everything." in checked.stdout
    assert console.child.terminate() == 0

    console.env[KEYS] = new
    console.start()
    console.queue_replies([(LINA, "after")])
    wait_for(lambda: console.fates() == {"after": ("sent", "")}, "a reply with the old token")
    console.control.write(bot, LINA, "and on")
    wait_for(lambda: "and on" in console.incoming(), "the account still received")
    assert "There is one key" in run("rotate_keys", "--check", env=console.env).stdout
