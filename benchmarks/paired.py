"""The time and memory of comparing a check of 100,000 pairs with its baseline."""

from resource import RUSAGE_SELF, getrusage
from time import perf_counter

from readiness.statistics.paired import Pairs, inferior, least_difference, sign_flips

PAIRS = 100_000


def main() -> None:
    """Print what each test takes."""
    begun = perf_counter()
    sign_flips([1] * (PAIRS // 2 + 300) + [-1] * (PAIRS // 2 - 300))
    signs = perf_counter()
    inferior(Pairs(1_200, 1_150, PAIRS), 0.02)
    inferior(Pairs(21_200, 21_150, PAIRS), 0.02)
    exact = perf_counter()
    least_difference(Pairs(1_200, 1_150, PAIRS))
    print(f"losses beyond gains   {signs - begun:6.2f} s")
    print(f"non-inferior, twice   {exact - signs:6.2f} s")
    print(f"bound of the change   {perf_counter() - exact:6.2f} s")
    print(f"peak                  {getrusage(RUSAGE_SELF).ru_maxrss / 1_000:6.0f} MB")


if __name__ == "__main__":
    main()
