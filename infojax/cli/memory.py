"""How much memory there is."""


def memory() -> tuple[int, int] | None:
    """Bytes of main memory that are (available, installed); None where the system does not say."""
    try:
        with open("/proc/meminfo") as file:
            kibibytes = {line.split(":")[0]: int(line.split()[1]) for line in file}
        return kibibytes["MemAvailable"] * 1024, kibibytes["MemTotal"] * 1024
    except (OSError, KeyError, ValueError):
        return None
