// An Express site with sessions, compression and static files: node server.cjs PORT, where its packages are installed.

const path = require("node:path")
const compression = require("compression")
const express = require("express")
const session = require("express-session")

const app = express()
app.set("trust proxy", true)
app.use(compression())
app.use("/static", express.static(path.join(__dirname, "static"), { maxAge: "1h" }))
app.use("/versions", express.static(path.join(__dirname, "static"), { maxAge: "1y", immutable: true }))
app.use(
  session({ secret: "not secret", resave: false, saveUninitialized: false, cookie: { secure: "auto", sameSite: "lax" } }),
)
app.use(express.urlencoded())
app.use(express.json())

app.get("/", (request, response) => {
  response.type("text").send(request.session.name ? `This is the page of ${request.session.name}.` : "Nobody is logged in.")
})

app.post("/login", (request, response, next) => {
  request.session.regenerate((error) => {
    if (error) return next(error)
    request.session.name = request.body.name
    response.redirect(303, `${request.protocol}://${request.host}/`)
  })
})

app.post("/logout", (request, response) => {
  request.session.destroy(() => response.clearCookie("connect.sid").redirect("/"))
})

app.get("/article", (request, response) => {
  response.set("Cache-Control", "public, max-age=300").type("html").send("<p>An article for all.</p>\n".repeat(200))
})

app.get("/api/:item", (request, response) => {
  response.set("Cache-Control", "public, max-age=300").json({ item: request.params.item, sort: request.query.sort })
})

app.get("/jsonp", (request, response) => response.jsonp({ value: 1 }))

app.get("/stream", (request, response) => {
  response.type("text")
  for (let number = 0; number < 100; number++) response.write(`line ${number}\n`)
  response.end()
})

app.listen(Number(process.argv[2]), "127.0.0.1")
