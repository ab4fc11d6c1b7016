// clock.ts - one second hand for every age on the page.
import { useEffect, useState } from "preact/hooks";

export function useNow(every = 1_000): number {
    const [now, setNow] = useState(Date.now());
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), every);
        return () => clearInterval(timer);
    }, [every]);
    return now;
}
