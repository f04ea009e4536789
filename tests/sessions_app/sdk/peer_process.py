"""The public `weilink` SDK as a process of its own: JSON calls on stdin, JSON answers on stdout.

Run as a file, so that nothing of ours is imported beside it.
"""

import json
import sys

import weilink


def _answer(wl: weilink.WeiLink, call: dict[str, str]) -> object:
    match call["do"]:
        case "send":
            try:
                result = wl.send(call["to"], call["text"])
            except weilink.QuotaExhaustedError:
                return "quota"
            return result.success
        case "recv":
            return [message.text for message in wl.recv(timeout=0.5)]
        case "rename":
            wl.rename_session(call["old"], call["new"])
            return None
        case "sessions":
            return list(wl.sessions)
    raise ValueError(call["do"])


def main() -> None:
    wl = weilink.WeiLink(base_path=sys.argv[1])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(wl, json.loads(line))) + "\n")
        sys.stdout.flush()
    wl.close()


main()
