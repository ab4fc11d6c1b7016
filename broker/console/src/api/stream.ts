// stream.ts - server-sent events read with fetch, because EventSource cannot send a bearer token.
// Lines become messages here; when to connect again is the caller's business.
import { ApiError, authorization } from "./http";

export interface Message {
    id: string;
    event: string;
    data: string;
}

/* Fields of one message, as the HTML standard reads them; null for a comment or an empty block. */
function messageOf(block: string): Message | null {
    const message: Message = { id: "", event: "message", data: "" };
    const data: string[] = [];
    for (const line of block.split(/\r?\n/)) {
        const at = line.indexOf(":");
        if (at === 0) continue;
        const name = at < 0 ? line : line.slice(0, at);
        const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
        if (name === "data") data.push(value);
        else if (name === "id") message.id = value;
        else if (name === "event") message.event = value;
    }
    if (!data.length && !message.id) return null;
    message.data = data.join("\n");
    return message;
}

/* Reads until the stream ends or fails; resolves at a clean end, throws otherwise. `opened` runs once the
 * gateway has agreed, `heard` at every piece of data, keep-alive comments too. */
export async function readStream(
    path: string,
    lastId: string,
    signal: AbortSignal,
    on: { opened(): void; heard(): void; messages(messages: Message[]): void },
): Promise<void> {
    const headers: Record<string, string> = { ...authorization(), Accept: "text/event-stream" };
    if (lastId) headers["Last-Event-ID"] = lastId;
    const response = await fetch(path, { headers, signal, cache: "no-store" });
    const ours = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    if (!response.ok || !ours || !response.body)
        throw new ApiError({ status: response.status, code: `HTTP_${response.status}`, title: "", detail: "" });
    on.opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        on.heard();
        rest += value;
        const blocks = rest.split(/\r?\n\r?\n/);
        rest = blocks.pop() ?? "";
        const messages = blocks.map(messageOf).filter((message): message is Message => message !== null);
        if (messages.length) on.messages(messages);
    }
}
