"""multiprocessing with spawned workers: results, errors, queues, shared memory."""

import multiprocessing as mp


def work(n):
    t = 0.0
    for i in range(n):
        t += i * 0.5
    return t


def fails(n):
    raise ValueError(n)


def echo(inbox, outbox):
    while (item := inbox.get()) is not None:
        outbox.put([item, work(item)])


def main(method):
    context = mp.get_context(method)
    with context.Pool(2) as pool:
        print(pool.map(work, range(0, 200, 20)))
        print(sorted(pool.imap_unordered(work, [10, 20, 30])))
        try:
            pool.apply(fails, (5,))
        except ValueError as error:
            print("ValueError", error)
    inbox, outbox = context.Queue(), context.Queue()
    process = context.Process(target=echo, args=(inbox, outbox))
    process.start()
    for item in (1, 100, 1000, None):
        inbox.put(item)
    print([outbox.get(timeout=60) for _ in range(3)])
    process.join(60)
    print(process.exitcode)


if __name__ == "__main__":
    for _ in range(40):
        work(50)
    main("spawn")
