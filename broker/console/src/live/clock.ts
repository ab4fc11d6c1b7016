// clock.ts - one second hand for every age on the page, by the gateway's clock: that of the machine at which
// somebody sits may be an hour off, and a queue that is stuck would be called new.
import { useEffect, useState } from "preact/hooks";

let ahead = 0; // ms that the gateway's clock is ahead of this machine's

/* The Date of an answer is a whole second between asking and now; what fits into that is not touched, so that
 * the hand does not tremble. */
export function clockIs(date: string | null, asked: number): void {
    const second = Date.parse(date ?? "");
    if (Number.isNaN(second)) return;
    const least = second - Date.now();
    const most = second + 1_000 - asked;
    if (least <= most) ahead = Math.min(Math.max(ahead, least), most);
}

export const cityNow = (): number => Date.now() + ahead;

export function useNow(every = 1_000): number {
    const [now, setNow] = useState(cityNow());
    useEffect(() => {
        const timer = setInterval(() => setNow(cityNow()), every);
        return () => clearInterval(timer);
    }, [every]);
    return now;
}
