// What keeps a page as it is on the server: htmx with its extension for server-sent events.
import './htmx-global.js';
import 'htmx-ext-sse';
