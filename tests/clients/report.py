"""One line per command of a client, and an exit status that says whether all went well."""

import sys
import traceback

import emulator


class Report:
    def __init__(self, client, version, setting=""):
        self.client = f"{client} {version} {setting}".rstrip()
        self.failures = 0

    def line(self, command, status):
        print(f"{self.client:40} {command:66}  {status}", flush=True)

    def run(self, command, work, *wanted):
        """Runs one command, which passes if it answers what is wanted, or at all if nothing is said about that."""
        try:
            answer = work()
            if wanted:
                expect(answer, *wanted)
        except BaseException as error:  # Some clients raise SystemExit.
            self.failures += 1
            self.line(command, "FAIL")
            traceback.print_exception(error, limit=-4, file=sys.stdout)
            return None
        self.line(command, "pass")
        return answer

    def refused(self, command, status, code, work):
        """Runs one command, which passes if it raises azure-core's error with this status and code."""
        from azure.core.exceptions import HttpResponseError

        def fail():
            try:
                work()
            except HttpResponseError as error:
                return error.status_code, error.error.code
            return "not refused"

        self.run(command, fail, (status, code))

    def end(self, **named):
        """Tells the api-versions that the client sent, by type, and ends.

        Those that are named have to be what is named; of others, which a client's update may change, it only tells.
        """
        sent = emulator.versions()
        for kind in sorted(sent.keys() | named.keys()):
            found = ", ".join(sorted(sent.get(kind, [])))
            if kind in named:
                self.run(f"api-version of {kind} is {named[kind]}", lambda: found, named[kind])
            else:
                self.line(f"api-version of {kind} is {found}", "info")
        sys.exit(1 if self.failures else 0)


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")
