// Icon.tsx - line icons on a 24 grid; they only ever stand beside words, so they say nothing to a reader.
const paths = {
    overview: "M4 13h6V4H4v9Zm0 7h6v-4H4v4Zm10 0h6v-9h-6v9Zm0-16v4h6V4h-6Z",
    search: "M11 18a7 7 0 1 1 0-14 7 7 0 0 1 0 14Zm9 2-4-4",
    parked: "M5 4h14v16H5zM9.5 8v8M14.5 8v8",
    system: "M4 7h10m4 0h2M4 12h3m4 0h9M4 17h8m4 0h4M16 5v4M9 10v4M14 15v4",
    logout: "M14 4h5v16h-5M4 12h10m-3.5-4L14 12l-3.5 4",
    pause: "M8 5v14M16 5v14",
    play: "M7 5l12 7-12 7V5Z",
    test: "M9 3h6m-5 0v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M7.5 15h9",
    requeue: "M4 12a8 8 0 0 1 14-5.3L20 9m0-5v5h-5M20 12a8 8 0 0 1-14 5.3L4 15m0 5v-5h5",
    cancel: "M6 6l12 12M18 6 6 18",
    redirect: "M4 18v-4a4 4 0 0 1 4-4h12m-4.5-4.5L20 10l-4.5 4.5",
    download: "M12 4v11m-5-4.5 5 5 5-5M5 20h14",
    check: "M5 12.5l4.5 4.5L19 7.5",
    alert: "M12 4 2.8 20h18.4L12 4Zm0 6v4.5m0 2.5v.5",
    info: "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Zm0-10v6m0-9v.5",
    clock: "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Zm0-14v5.5l3.5 2",
    inbox: "M4 13 6.5 5h11L20 13v6H4v-6Zm0 0h5a3 3 0 0 0 6 0h5",
    agent: "M6 8h12v10H6zM12 8V4M9.5 12.5v1M14.5 12.5v1M3 12v3M21 12v3",
    disk: "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3Zm0 0v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3",
    sun: "M12 16.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9ZM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3 19 19M5 19l1.7-1.7M17.3 6.7 19 5",
    moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
    device: "M4 5h16v11H4zM9 20h6m-3-4v4",
    copy: "M9 9h11v11H9zM5 15H4V4h11v1",
    plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0V8Zm6 9v4",
    chevron: "M9 5l7 7-7 7",
    drain: "M4 5h16l-6.5 8v6l-3 1.5V13L4 5Z",
    queue: "M4 6h16M4 12h16M4 18h10",
    flag: "M6 21V4h12l-2.5 4.5L18 13H6",
    eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Zm9.5 3a3 3 0 1 1 0-6 3 3 0 0 1 0 6Z",
} as const;
export type IconName = keyof typeof paths;

/* `flip` mirrors an icon that points along the line of reading. */
export function Icon({ name, flip, size }: { name: IconName; flip?: boolean; size?: "small" | "large" }) {
    return (
        <svg class={`icon${flip ? " icon-flip" : ""}${size ? " icon-" + size : ""}`} viewBox="0 0 24 24" aria-hidden="true">
            <path d={paths[name]} />
        </svg>
    );
}
