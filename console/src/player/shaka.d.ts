declare module "shaka-player/dist/shaka-player.dash.js";
