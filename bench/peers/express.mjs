/**
 * A contestant: a task API as most tutorials build it. Express 5, helmet, morgan, a rate limit in memory, passport-jwt that
 * reads the user of each request, Mongoose documents, and pages by count and skip. It publishes no events and has no cache.
 *
 * Environment: MONGODB_URI, JWT_SECRET.
 */
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import mongoose from 'mongoose';
import morgan from 'morgan';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { announce } from './answers.mjs';

const { Schema } = mongoose;
const User = mongoose.model(
  'User',
  new Schema({ email: { type: String, unique: true }, name: String, role: String }, { timestamps: true }),
);
const taskSchema = new Schema(
  {
    user: { type: Schema.Types.ObjectId, ref: 'User', required: true },
    title: { type: String, required: true, trim: true, maxlength: 200 },
    description: { type: String, default: '' },
    status: { type: String, enum: ['todo', 'in_progress', 'done', 'archived'], default: 'todo' },
    priority: { type: String, enum: ['low', 'medium', 'high', 'urgent'], default: 'medium' },
    tags: [String],
    dueDate: Date,
  },
  { timestamps: true },
);
taskSchema.index({ user: 1, createdAt: -1 });
const Task = mongoose.model('Task', taskSchema);

passport.use(
  new Strategy(
    { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: process.env.JWT_SECRET },
    async (payload, done) => {
      try {
        done(null, (await User.findById(payload.sub)) ?? false);
      } catch (error) {
        done(error);
      }
    },
  ),
);
const authenticated = passport.authenticate('jwt', { session: false });

const app = express();
app.use(helmet());
app.use(morgan('combined'));
app.use(rateLimit({ windowMs: 15 * 60_000, limit: 1_000_000_000, standardHeaders: true, legacyHeaders: false }));
app.use(express.json());

app.get('/tasks', authenticated, async (request, response) => {
  const page = Number(request.query.page ?? 1);
  const limit = Number(request.query.limit ?? 20);
  const filter = { user: request.user._id };
  const [tasks, total] = await Promise.all([
    Task.find(filter)
      .sort({ createdAt: -1 })
      .skip((page - 1) * limit)
      .limit(limit),
    Task.countDocuments(filter),
  ]);
  response.json({ tasks, page, limit, total, pages: Math.ceil(total / limit) });
});
app.get('/tasks/:id', authenticated, async (request, response) => {
  const task = await Task.findOne({ _id: request.params.id, user: request.user._id });
  if (task) response.json(task);
  else response.status(404).json({ message: 'Task not found' });
});
app.post('/tasks', authenticated, async (request, response) => {
  response.status(201).json(await Task.create({ ...request.body, user: request.user._id }));
});

await mongoose.connect(process.env.MONGODB_URI);
await Promise.all([User.init(), Task.init()]);
const server = app.listen(0, '127.0.0.1', () => announce(server.address().port));
